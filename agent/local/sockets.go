package local

import (
	"time"

	"cassini/bpf"
	"cassini/model"
)

// socketLimit bounds the table of sockets that serve.
const socketLimit = 16384

// socket is one socket that serves.
type socket struct {
	bpf.UnixSocket // as one process holds it, the one that is named
	file           fileID
	entry          *entry
}

// entry is what a document tells: the sockets of one name.
type entry struct {
	model.Listener
	sockets map[uint64]*socket
}

// abstract is an abstract name where it means something.
type abstract struct {
	netns uint32
	kind  uint16
	text  string
}

// sockets is the table of what serves. It is not safe for concurrent use.
type sockets struct {
	byCookie   map[uint64]*socket
	byKey      map[string]*entry
	byFile     map[fileID]*socket
	byAbstract map[abstract]*socket
	full       uint64
}

func newSockets() *sockets {
	return &sockets{
		byCookie: make(map[uint64]*socket), byKey: make(map[string]*entry),
		byFile: make(map[fileID]*socket), byAbstract: make(map[abstract]*socket),
	}
}

// betterHolder says which of the processes that hold one socket is named: the oldest, but
// not systemd, which only hands sockets on.
func betterHolder(known, other *bpf.UnixSocket) bool {
	a, b := handsOn(known), handsOn(other)
	if a != b {
		return a
	}
	return other.Owner.StartNs < known.Owner.StartNs
}

func handsOn(s *bpf.UnixSocket) bool {
	return s.Owner.Tgid == 1 || bpf.CommString(bpf.Owner(s.Owner)) == "systemd"
}

func isAbstract(s *bpf.UnixSocket) bool { return s.Len > 0 && s.Text[0] == 0 }

// isAutobound says whether the kernel chose the name, five hexadecimal digits, for a
// socket that only wants answers (unix(7)).
func isAutobound(s *bpf.UnixSocket) bool {
	if !isAbstract(s) || s.Len != 6 {
		return false
	}
	for _, c := range s.Text[1:6] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// add takes a socket that is new, and returns the entry that it belongs to.
func (t *sockets) add(found bpf.UnixSocket, file fileID, describe model.Listener) *entry {
	if len(t.byCookie) >= socketLimit {
		t.full++
		return nil
	}
	e, known := t.byKey[describe.Key()]
	if !known {
		describe.State = model.StateListening
		e = &entry{Listener: describe, sockets: make(map[uint64]*socket)}
		t.byKey[describe.Key()] = e
	} else {
		e.Process = describe.Process // it has taken the name over
	}
	s := &socket{UnixSocket: found, file: file, entry: e}
	e.sockets[found.Cookie] = s
	e.Sockets = len(e.sockets)
	t.byCookie[found.Cookie] = s
	if isAbstract(&found) {
		t.byAbstract[abstract{found.Netns, found.Type, bpf.Bound(&found)}] = s
	} else if file != (fileID{}) {
		t.byFile[file] = s
	}
	return e
}

// remove takes a socket away, and returns its entry as it stands now.
func (t *sockets) remove(s *socket, at time.Time) model.Listener {
	delete(t.byCookie, s.Cookie)
	delete(s.entry.sockets, s.Cookie)
	if t.byFile[s.file] == s {
		delete(t.byFile, s.file)
	}
	if name := (abstract{s.Netns, s.Type, bpf.Bound(&s.UnixSocket)}); t.byAbstract[name] == s {
		delete(t.byAbstract, name)
	}
	if s.entry.Sockets = len(s.entry.sockets); s.entry.Sockets > 0 {
		return s.entry.Listener
	}
	delete(t.byKey, s.entry.Key())
	return endListener(s.entry.Listener, at)
}

// at finds the socket that answers at a place.
func (t *sockets) at(p place) *socket {
	if s := t.byFile[p.file]; s != nil {
		return s
	}
	named := model.Listener{Proto: model.ProtoUnix}
	named.Path = p.path
	named.MntnsName = p.space
	e := t.byKey[named.Key()]
	if e == nil || p.missing() {
		return nil
	}
	var newest *socket
	for _, s := range e.sockets {
		if newest == nil || s.Cookie > newest.Cookie {
			newest = s
		}
	}
	return newest
}

// bound finds the socket that was bound to a name: the only one, or the only one in the mount namespace
// of who dialled it.
func (t *sockets) bound(to *target) *socket {
	var all, near []*socket
	for _, s := range t.byCookie {
		if s.Type != to.kind || bpf.Bound(&s.UnixSocket) != to.text {
			continue
		}
		if all = append(all, s); s.Mntns == to.name.Space {
			near = append(near, s)
		}
	}
	switch {
	case len(all) == 1:
		return all[0]
	case len(near) == 1:
		return near[0]
	}
	return nil
}

func endListener(l model.Listener, at time.Time) model.Listener {
	at = at.UTC()
	l.State, l.Ended, l.Sockets = model.StateEnded, &at, 0
	return l
}

func typeName(kind uint16) string {
	switch kind {
	case 1:
		return model.UnixStream
	case 2:
		return model.UnixDatagram
	case 5:
		return model.UnixSeqpacket
	}
	return ""
}
