package findings

import (
	"strings"

	"cassini/model"
)

// Forget calls off what waits for a host, which nobody expects any more.
func (w *Watch) Forget(host string) {
	delete(w.refused, model.HostID(host))
	for key := range w.entries {
		what, of, _ := strings.Cut(key, " ")
		a, b, _ := strings.Cut(of, " ")
		switch {
		case what == "twins" && (a == host || b == host),
			what == "end" && model.SubjectHost(b) == host,
			model.SubjectHost(of) == host:
			w.callOff(key)
		}
	}
}
