-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Forgets an application for good.
--
-- ARGV: application id
-- Returns: 1 if it was known, 0 if not

return forget(ARGV[1])
