package watch

import (
	"slices"
	"time"

	"cassini/model"
)

// Rates are per second. They are not Known before two pictures, nor when a counter
// went back.
type Rates struct {
	Known                                       bool
	Connections, Failures, ToServer, FromServer float64
}

// counts are the counters of a dependency as rates need them: bytes by direction, not
// by who tells.
type counts struct {
	connections, failed, toServer, fromServer uint64
	byClient                                  bool // the client's end tells
}

// countsOf turns bytes as the telling end saw them into directions.
func countsOf(d model.DependencyView) counts {
	c := counts{connections: d.Connections, failed: d.Failed, toServer: d.BytesSent, fromServer: d.BytesReceived, byClient: true}
	if len(d.SeenBy) > 0 && !slices.Contains(d.SeenBy, "client") {
		c.byClient = false
		c.toServer, c.fromServer = c.fromServer, c.toServer
	}
	return c
}

// follows says whether c can come after before: nothing went back, and the same end
// tells.
func (c counts) follows(before counts) bool {
	return c.byClient == before.byClient && c.connections >= before.connections && c.failed >= before.failed &&
		c.toServer >= before.toServer && c.fromServer >= before.fromServer
}

// since are the rates of what was counted since before.
func (c counts) since(before counts, passed time.Duration) Rates {
	s := passed.Seconds()
	return Rates{
		Known:       true,
		Connections: float64(c.connections-before.connections) / s,
		Failures:    float64(c.failed-before.failed) / s,
		ToServer:    float64(c.toServer-before.toServer) / s,
		FromServer:  float64(c.fromServer-before.fromServer) / s,
	}
}

// meter tells rates from counters.
type meter struct {
	base   counts
	at     time.Time
	latest counts
	rates  Rates
	moved  time.Time // when a counter last changed; zero when none was seen to
}

// take takes counters that were read at a time. Rates are told over at least the given
// time, so that a picture that comes early does not make them jump.
func (m *meter) take(c counts, at time.Time, least time.Duration) {
	passed := at.Sub(m.at)
	if !m.at.IsZero() && c != m.latest {
		m.moved = at
	}
	switch {
	case m.at.IsZero():
		m.base, m.at = c, at
	case !c.follows(m.latest):
		m.base, m.at, m.rates = c, at, Rates{}
	case passed >= least && passed > 0:
		m.rates = c.since(m.base, passed)
		m.base, m.at = c, at
	}
	m.latest = c
}
