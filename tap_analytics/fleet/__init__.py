"""Many accounts on many machines: each piped into a target by a worker of Dask."""
