"""Emulators of the services, shipped with the product: the demo and the tests run against them."""
