package heartbeat

// Moved says that this host may stand in another zone.
func (h *Heartbeat) Moved() {
	select {
	case h.moved <- struct{}{}:
	default:
	}
}

// ManagerMoved says that the manager is reached elsewhere, or may know a later life of this host:
// it is asked anew, so that both know the same.
func (h *Heartbeat) ManagerMoved() {
	h.other.Store(true)
	h.Moved()
}
