package capture

import "cassini/agent/host"

// Processes resolves the owners of sockets. Whoever wants to hear of them from the start
// has to say so before Bootstrap.
func (c *Capture) Processes() *host.Processes { return c.processes }
