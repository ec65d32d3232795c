"""Rating: call records become calls, calls find their owner, zone, pack and price."""
