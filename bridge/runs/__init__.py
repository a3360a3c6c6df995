"""What a command runs: each kind of run, the grids of them, and the processes that compute them."""
