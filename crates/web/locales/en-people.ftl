# The board: rows, filters, order.

line-teams-call = Teams call
line-until = until { $time }
row-call = Call
row-call-of = Call { $name }
row-chat = Chat
row-chat-of = Chat with { $name } in Teams
board-everyone = Everyone
board-chips = Filter by status
board-view = View
board-group = Group or location
board-all-groups = All groups
board-order = Order
board-by-name = By name
board-by-status = By status
board-by-since = Latest change first
board-compact = Compact
board-apply = Apply
board-reachable = { $shown } of { $count } available
board-nobody = Nobody matches the search and the filters.
board-show-all = Show everyone
rail-groups = Groups
