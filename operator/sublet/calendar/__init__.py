"""Time and capacity, as a pure library of the standard library alone.

It knows nodes, intervals and bookings by name and nothing of Kubernetes; `plan.translate` is the bridge. Instants are
aware datetimes outside and whole seconds inside. What it answers, and where:

- `calendar.Calendar(nodes, gap, floor, bookings)` holds a pool; `book`, `move`, `end` and `extend` change it, `copy`
  gives one to try things on, `longest_extension` says how far a booking reaches on its own nodes, and
  `obstacles.obstacle` what is in its way there.
- `allocator.earliest` finds and chooses for one request, `backfill.place` for a queue in strict order; for it,
  `rehoming` lets bookings that have not begun make room.
- `offers.nearest` says what would fit in the place of a request that never does, `offers.offers` what a quote can show.
- `reclaim.reclaim` says which interruptible leases are cut for the owner, `healing.replacement` which node takes over.
- `lifecycle` has the stages of a lease.

Below them: `occupancy` and `slack` index nodes and counts by the `slots` of time, `search` walks them, `topology` lays
nodes out and chooses among them.
"""
