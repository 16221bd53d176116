"""How requests are sent: by a blocking driver and by one for asyncio."""
