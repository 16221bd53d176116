"""Migrations: records that older versions of the server wrote are brought to the form that this version reads.

The record of each tenant has a schema number. A server that opens a tenant with a lower number than its own runs the
missing steps first, under a lease (see `upgrade`).

How to add a step:

1. Write a module here with `async def run(tenant: Tenant, progress: Progress) -> None`. It changes all records that
   need it, including those in the trash, and calls `progress.add(count)` for each batch.
2. Append it to `STEPS` in `steps`. Its position in the list is the number of the schema; released steps never move.
3. A step may be interrupted at any point, run again from the beginning, and run twice at the same time. So each
   write names what it replaces in its filter, for example `{"_id": key, "serial": None}`.
4. A change of the declared indexes needs a step, too. `indexes.only` does nothing to records; indexes that are missing
   are created before the first step, and those that no document declares are dropped after the last.
5. New records must be complete when they are created: a step never runs on a tenant that began with its number.
"""
