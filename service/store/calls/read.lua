-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Shows one application, all at one moment. Changes nothing.
--
-- ARGV: application id
-- Returns: its entry in due (ms) or '', then field and value by turns; nothing when there is none

local id = ARGV[1]
local fields = all_fields(id)
return fields and {redis.call('ZSCORE', due, id) or '', unpack(fields)} or {}
