package taps

import (
	"bytes"
	"strconv"
	"sync"

	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/model"
)

// links knows how interfaces are called, and which are promiscuous. It is safe for
// concurrent use.
type links struct {
	mu    sync.Mutex
	known map[index]model.Interface
}

// index is a number of an interface where it means something.
type index struct{ netns, number uint32 }

func newLinks() links { return links{known: make(map[index]model.Interface)} }

// put takes an interface. It reports whether it hears more, or less, than before.
func (l *links) put(ns uint32, i model.Interface) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := index{ns, uint32(i.Index)}
	was := l.known[at].Promiscuous
	if i.State == model.InterfaceGone {
		delete(l.known, at)
		return was
	}
	l.known[at] = model.Interface{Name: i.Name, Promiscuous: i.Promiscuous}
	return was != i.Promiscuous
}

// name is that of the interface that a socket is bound to; "" when that is none.
func (l *links) name(s *bpf.TapSocket) string {
	if s.Ifindex == 0 {
		return ""
	}
	l.mu.Lock()
	known := l.known[index{s.Netns, s.Ifindex}].Name
	l.mu.Unlock()
	if known != "" {
		return known
	}
	if name, _, _ := bytes.Cut(s.Ifname[:], []byte{0}); len(name) > 0 {
		return string(bytes.ToValidUTF8(name, []byte("?")))
	}
	return "if" + strconv.FormatUint(uint64(s.Ifindex), 10)
}

// Link takes an interface as it stands now. It does not block: one that became
// promiscuous, or is so no longer, has all open files looked at a moment later.
func (t *Taps) Link(ns netns.Namespace, i model.Interface) {
	if t.links.put(ns.Inode, i) {
		t.later(settle)
	}
}
