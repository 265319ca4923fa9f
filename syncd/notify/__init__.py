"""People and programs are told once of what happened: by a comment on the page, by mail, by webhook.

What they are told is written to the store's outbox with what it tells of; here is what goes out of it, to whom, and how.
"""
