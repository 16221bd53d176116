"""Terms record who sees them. Without that record, a term is hidden from those who see it on an item."""

from catalog.store.derived import term_counts
from catalog.store.migrations.progress import Progress
from catalog.store.tenant import Tenant

AT_ONCE = 100_000
"""Terms whose counts one pass over the items repairs, at 0.5 KB of memory each."""


async def run(tenant: Tenant, progress: Progress) -> None:
    """Count the uses and the viewers of all terms."""
    progress.add(await term_counts.repair(tenant, AT_ONCE))
