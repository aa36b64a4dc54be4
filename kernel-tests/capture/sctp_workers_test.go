package capture

import (
	"testing"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// Each worker of a server has the associations that it accepted.
func TestSCTPWorkers(t *testing.T) {
	r := startSCTP(t)
	if _, err := r.SCTP(); err != nil {
		t.Fatal(err)
	}
	chargedToWorkers(t, r, "sctp", unix.IPPROTO_SCTP)
}

// Nobody accepts the associations that one socket has for all: they are its owner's, and the document says so.
func TestSCTPAcceptsNothing(t *testing.T) {
	for _, c := range []struct {
		style sctpStyle
		want  string
	}{{sctpStyles[0], model.AcceptsToProcess}, {sctpStyles[1], model.AcceptsToListener}} {
		t.Run(c.style.name, func(t *testing.T) {
			loadSCTP(t)
			older, olderPort := sctpListen(t, c.style.kind, "127.0.0.1")
			r := startSCTP(t)
			fd, port := sctpListen(t, c.style.kind, "127.0.0.1")
			defer closeFD(t, older, fd)
			for _, p := range []uint16{port, olderPort} {
				l := r.listener("service", sctpService(p))
				if l.AcceptsChargedTo != c.want || l.Workers != nil {
					t.Errorf("%+v", l.Accepts)
				}
				checkSelf(t, l.Process)
			}
		})
	}
}
