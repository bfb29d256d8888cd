# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(noun arguments behaviour fault fault_script graphql graphql_document header_list ledger oauth waiting)
    specify(unit sandbox_${noun} seek_sandbox_core)
endforeach()
foreach(noun fault_script graphql ledger oauth waiting)
    can_fail_allocations(sandbox_${noun}_test)
endforeach()
