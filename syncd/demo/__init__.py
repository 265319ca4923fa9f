"""`syncd demo`: the whole product against the built-in sandbox, in a world of its own."""
