package estate

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"cassini/model"
)

// Day are the documents of the day after the first ones: one host in a hundred is booted,
// and about as many have a new service, one that ended, another MTU, another port of their
// switch, and one more dependency.
func (e Estate) Day() iter.Seq2[model.Document, error] {
	return func(yield func(model.Document, error) bool) {
		w := writer{yield: yield, now: Begin.AddDate(0, 0, 1), more: true}
		r := rand.New(rand.NewPCG(e.Seed, uint64(e.Hosts)+1))
		for h := 0; h < e.Hosts && w.more; h++ {
			switch h % 100 {
			case 3:
				e.booted(&w, h)
			case 17:
				e.listen(&w, h, process("/usr/bin/node_exporter", "prometheus", 901), 9100)
			case 29:
				e.ended(&w, h)
			case 41:
				link := e.link(h)
				link.MTU = 9000
				w.put(e.Host(h), model.PackageNetConfig, link.Key(), link)
			case 53:
				e.moved(&w, h)
			case 67, 83:
				e.another(&w, r, h)
			}
		}
	}
}

func (e Estate) booted(w *writer, h int) {
	id := e.identity(h)
	id.BootID, id.BootTime, id.AgentStart = id.BootID+"-again", w.now.Add(-time.Minute), w.now
	w.put(e.Host(h), model.PackageIdentity, "", id)
}

// ended tells that sshd does not listen any more.
func (e Estate) ended(w *writer, h int) {
	at := w.now
	l := e.listener(h, process("/usr/sbin/sshd", "root", 397), 22)
	l.State, l.Ended, l.Since = model.StateEnded, &at, Begin
	w.put(e.Host(h), model.PackageListeners, l.Key(), l)
}

// moved plugs the cable into another port.
func (e Estate) moved(w *writer, h int) {
	far := e.wire(h)
	w.put(e.Host(h), model.PackageNeighbors, far.Key(), nil)
	far.Port.ID = fmt.Sprintf("Ethernet%d", SwitchPorts+h%SwitchPorts+1)
	far.FirstSeen, far.Changed = w.now, w.now
	w.put(e.Host(h), model.PackageNeighbors, far.Key(), far)
}

// another is one more server of a host's program.
func (e Estate) another(w *writer, r *rand.Rand, h int) {
	for _, server := range e.popular(r, min(e.tier(h)+1, DB), 1, h) {
		e.connect(w, e.program(h), h, server)
	}
}
