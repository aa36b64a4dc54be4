package heartbeat

// Moved says that this host may stand in another zone.
func (h *Heartbeat) Moved() {
	select {
	case h.moved <- struct{}{}:
	default:
	}
}

// ManagerMoved says that the manager is reached elsewhere: it is asked anew, so that the
// addresses are known to both.
func (h *Heartbeat) ManagerMoved() {
	h.other.Store(true)
	h.Moved()
}
