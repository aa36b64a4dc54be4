package local

import (
	"cassini/bpf"
	"cassini/model"
)

// target is one name that somebody dials.
type target struct {
	name  bpf.UnixName
	text  string
	kind  uint16
	edges map[*edge]struct{}

	place   place   // where it leads, as last looked at
	serving *socket // that answers; nil: none is known
	moved   bool    // something was told of it since it was last settled
	// told is whether the kernel side knows serving.
	told bool
	// client is a process that dialled it, and the directory it was in.
	client int
	cwd    string
}

// isAbstract asks the edges: a relative path may begin with "@" too.
func (t *target) isAbstract() bool {
	for e := range t.edges {
		return e.read.Len > 0 && e.read.Text[0] == 0
	}
	return false
}

// targets is the table of names that are dialled. It is not safe for concurrent use.
type targets map[bpf.UnixName]*target

// of finds or begins the target of an edge.
func (ts targets) of(key bpf.UnixKey, read *bpf.UnixEdge) *target {
	t := ts[key.Name]
	if t == nil {
		t = &target{name: key.Name, text: bpf.Dialled(read), kind: read.Type, edges: make(map[*edge]struct{}), client: int(read.Owner.Tgid)}
		ts[key.Name] = t
	}
	return t
}

// adopted says whether a connection is older than the agent: then the name is that to which the
// socket was bound, by a process that may have been elsewhere, and perhaps renamed it.
func (t *target) adopted() bool {
	for e := range t.edges {
		if e.read.Adopted > 0 {
			return true
		}
	}
	return false
}

// unsure says whether an edge has attempts that nobody has found out about.
func (t *target) unsure() bool {
	for e := range t.edges {
		if unsure, reasonless := e.unsettled(); unsure+reasonless > 0 {
			return true
		}
	}
	return false
}

// fresh says whether an edge has not been described yet.
func (t *target) fresh() bool {
	for e := range t.edges {
		if e.of == nil {
			return true
		}
	}
	return false
}

// lastNs is when it was last dialled, CLOCK_MONOTONIC.
func (t *target) lastNs() (last uint64) {
	for e := range t.edges {
		last = max(last, e.read.LastNs)
	}
	return last
}

// settle says of all edges what became of their attempts.
func (t *target) settle() {
	for e := range t.edges {
		e.settle(t.serving != nil, t.place.missing())
	}
}

// unixName is the name that a document bears: the service's own, when one answers or did,
// else the client's.
func (t *target) unixName() (name model.UnixName, netns string) {
	name.SocketType = typeName(t.kind)
	if t.serving != nil {
		l := &t.serving.entry.Listener
		return l.UnixName, l.NetnsName
	}
	name.Path, name.MntnsName = t.place.path, t.place.space
	return name, ""
}
