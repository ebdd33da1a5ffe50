"""The contract: the objects of the group `sublet.dev`, from which `crds/` is generated.

This room knows pydantic and nothing of a cluster, a framework or the time of day. A model carries the types, the bounds
and the defaults of its fields. What must hold between fields stands beside it as CEL and is kept by the API server, so
that an object stored under older rules can still be read.

    lease        GPULease, with lease_status and lease_rules
    pool         GPUPool, with pool_isolation and pool_sanitize
    record       LeaseRecord
    network      what a tenant may reach       selector  which nodes
    reasons      every condition type and reason
    meta         what every object has         names     bounded texts
    scalars      durations, instants, decimals markers   list types and CEL rules in a schema
    ranges       networks that are always closed
    schema       model -> structural schema
    definitions  names and columns of each kind
    crds         models -> crds/*.yaml
"""
