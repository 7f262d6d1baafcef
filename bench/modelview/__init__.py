"""History as a usual DRF view answers it, over messaging_service's tables."""
