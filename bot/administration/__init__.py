"""What administrators can do: the same services for the chat, REST and the command line.

Each takes the connection of a transaction under way and plain values, checks, writes, and leaves a row in the audit
table; what must be rung for when the transaction is committed is in what it returns.
"""
