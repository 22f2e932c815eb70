"""How programs (the command line, the page, bots) speak with a node: JSON-RPC 2.0 and durable events.

- `protocol`: requests and answers of JSON-RPC, and errors `{code, message, data}`
- `params`, `views`: what is asked with and what is answered: chats, messages, contacts, as JSON shows them;
  `group_views`, `message_views`, `storage_views` the same by subject
- `showing`: how views are made from stored records
- `lookups`, `shown_messages`: what methods name, looked up in the records
- `methods`: the table of all methods, `noun.verb`
- `access`, `scopes`, `bot_queries`: who calls, what a bot's token reaches, and what a bot sees
- `attaching`: what is attached and not sent yet
- `question`, `beginning`: what a method is, and the questions of somebody who begins
- `bots`: questions about bots
- `storage`, `storage_views`: questions about room on the disk; `folders`: about folders of chats
- `acts`, `locking`: what the app does with a home as a whole; `visits`: the requests under way
- `service`: the methods over a node; `caller_sessions`: one caller of them, on a WebSocket or with a POST
- `home_socket`: the private Unix socket of a home; `requests`: what requests present
- `listening`: sockets, and uvicorn on them
- `page`: the page at this machine's own address; `page_guard`, `page_sessions`, `page_files`: its parts
- `comparing`: questions of two people who compare
- `qr_codes`, `qr_process`: QR codes in pictures of the page
- `caller`: the other end, for programs that are not asynchronous
- `local`: a node with its API in this process
- `descriptions`, `typescript`: methods and events described for programs (OpenRPC, AsyncAPI) and the page

Bytes (ids) are base64 in JSON. Every write carries a `client_id`; a repeat gets the first one's answer.
"""
