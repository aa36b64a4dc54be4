package compat

import (
	"fmt"
	"testing"
)

// protocol waits until the agent speaks a version of the protocol with its manager.
func (p *pair) protocol(want float64) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("protocol %v", want), func() error {
		if got := p.metric("cassini_sent_protocol_version"); got != want {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// TestNewAgentOldManager, and then the manager is upgraded while the agent runs.
func TestNewAgentOldManager(t *testing.T) {
	p := newPair(t, older, newer)
	p.knows(p.serves())
	p.protocol(1)
	p.stop(p.manager)
	while := p.serves() // waits in the outbox
	p.startManager(newer)
	p.knows(while)
	p.knows(p.serves())
	p.protocol(2)
	p.dropped()
}

// TestOldAgentNewManager, and then the agent is upgraded, with what its outbox holds.
func TestOldAgentNewManager(t *testing.T) {
	p := newPair(t, newer, older)
	p.knows(p.serves())
	p.dropped()
	p.stop(p.manager)
	while := p.serves()
	eventually(t, "the old agent spools", func() error {
		if n := p.metric("cassini_outbox_spooled_documents"); n <= 0 {
			return fmt.Errorf("%v documents", n)
		}
		return nil
	})
	p.stop(p.agent)
	p.agent = p.start("agent", newer, "agent", "--manager", p.url(), "--listen", p.agentAt, "--data-dir", p.agentDir)
	p.startManager(newer)
	p.knows(while)
	p.knows(p.serves())
	p.protocol(2)
	p.dropped()
}

// TestSameVersion is what the others are compared with.
func TestSameVersion(t *testing.T) {
	p := newPair(t, newer, newer)
	p.knows(p.serves())
	p.protocol(2)
	p.dropped()
}
