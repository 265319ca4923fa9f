"""What publishing costs: our requests and rates beside those of other tools, against one counting double. `make bench`.

Nothing here is shipped, and nothing of the product imports it.
"""
