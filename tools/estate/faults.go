package estate

// CutLink brings a host's own end of its cable down: its interface is off. Errors of this
// and of the other faults and repairs wrap ErrUnknown for what does not exist.
func (e *Estate) CutLink(name string) error {
	return e.withHost(name, func(h *host) error { return h.node.down(eth0) })
}

// MendLink undoes CutLink, and sets the host's gateway anew, which it lost by that.
func (e *Estate) MendLink(name string) error {
	return e.withHost(name, func(h *host) error {
		if err := h.node.up(eth0); err != nil {
			return err
		}
		return h.route()
	})
}

// CutPort brings the switch's end of a host's cable down: the host has no carrier.
func (e *Estate) CutPort(name string) error {
	return e.withHost(name, func(h *host) error { return h.at.down(h.port) })
}

// MendPort undoes CutPort.
func (e *Estate) MendPort(name string) error {
	return e.withHost(name, func(h *host) error { return h.at.up(h.port) })
}

// StopSwitch ends all forwarding of a switch: its hosts keep their carrier and reach
// nobody, not even each other.
func (e *Estate) StopSwitch(number int) error {
	return e.withSwitch(number, func(n *node) error { return n.down(bridgeName) })
}

// StartSwitch undoes StopSwitch.
func (e *Estate) StartSwitch(number int) error {
	return e.withSwitch(number, func(n *node) error { return n.up(bridgeName) })
}

// Partition cuts a switch off the core: its hosts reach each other and nobody else.
func (e *Estate) Partition(number int) error {
	return e.withSwitch(number, func(n *node) error { return n.down(uplink) })
}

// Heal undoes Partition.
func (e *Estate) Heal(number int) error {
	return e.withSwitch(number, func(n *node) error { return n.up(uplink) })
}

func (e *Estate) withHost(name string, fn func(*host) error) error {
	h, err := e.host(name)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return fn(h)
}

func (e *Estate) withSwitch(number int, fn func(*node) error) error {
	n, err := e.bridge(number)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return fn(n)
}
