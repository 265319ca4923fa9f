"""Wire floor: every byte that is exchanged with a service. May import `mapping`; decides nothing."""
