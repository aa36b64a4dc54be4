package graph

import (
	"hash/maphash"
	"slices"
	"strings"

	"cassini/model"
)

// program is a process but for its number: the same one for all that are alike. Nothing in
// it changes.
type program struct {
	model.Process        // PID is 0
	path          string // that stands for it in identifiers
	next          *program
	hash          uint64
	refs          int32
}

// as is the process of a number.
func (p *program) as(pid int) model.Process {
	full := p.Process
	full.PID = pid
	return full
}

// id is the identifier of its node on a host.
func (p *program) id(host string) string { return model.KindProcess + ":" + host + p.path }

// same says whether a process is of this program.
func (p *program) same(q *model.Process) bool {
	return p.Exe == q.Exe && p.Comm == q.Comm && p.CalledAs == q.CalledAs && p.UID == q.UID && p.GID == q.GID && p.UIDNum == q.UIDNum && p.GIDNum == q.GIDNum &&
		p.Cwd == q.Cwd && p.Cgroup == q.Cgroup && p.CgroupID == q.CgroupID && p.Partial == q.Partial &&
		(p.Cmdline == nil) == (q.Cmdline == nil) && slices.Equal(p.Cmdline, q.Cmdline) &&
		(p.Home == q.Home || p.Home != nil && q.Home != nil && *p.Home == *q.Home)
}

// samePath says whether a process has the path that stands for the program.
func (p *program) samePath(q *model.Process) bool {
	return p.Exe == q.Exe && p.Cgroup == q.Cgroup || p.path == pathOf(q)
}

func pathOf(p *model.Process) string {
	return strings.TrimPrefix(model.ProcessID("", *p), model.KindProcess+":")
}

// programs are those that something refers to, by what they have in common with few others.
type programs struct {
	seed maphash.Seed
	by   map[uint64]*program
}

func newPrograms() programs { return programs{seed: maphash.MakeSeed(), by: make(map[uint64]*program)} }

func (all *programs) hash(p *model.Process) uint64 {
	var h maphash.Hash
	h.SetSeed(all.seed)
	h.WriteString(p.Exe)
	h.WriteString(p.Cgroup)
	h.WriteString(p.UID)
	for _, arg := range p.Cmdline {
		h.WriteString(arg)
	}
	return h.Sum64()
}

// own is a copy whose texts keep nothing else in memory, such as the document that they
// came with.
func own(p *model.Process) model.Process {
	c := *p
	for _, text := range []*string{&c.Exe, &c.Comm, &c.CalledAs, &c.UID, &c.GID, &c.Cwd, &c.Cgroup} {
		*text = strings.Clone(*text)
	}
	if c.GID == c.UID {
		c.GID = c.UID // one text
	}
	if p.Cmdline != nil {
		c.Cmdline = make([]string, len(p.Cmdline))
		for i, arg := range p.Cmdline {
			if c.Cmdline[i] = strings.Clone(arg); arg == c.Exe {
				c.Cmdline[i] = c.Exe
			}
		}
	}
	if p.Home != nil {
		h := *p.Home
		for _, text := range []*string{&h.SystemdUnit, &h.Slice, &h.Scope, &h.Session, &h.LoginUID, &h.Runtime, &h.ContainerID, &h.PodUID, &h.PodQoS} {
			*text = strings.Clone(*text)
		}
		c.Home = &h
	}
	return c
}

// hold is the program of a process. Whoever has it lets it go in the end.
func (all *programs) hold(p *model.Process) *program {
	hash := all.hash(p)
	for known := all.by[hash]; known != nil; known = known.next {
		if known.same(p) {
			known.refs++
			return known
		}
	}
	q := &program{Process: own(p), path: pathOf(p), next: all.by[hash], hash: hash, refs: 1}
	q.PID = 0
	if q.path == q.Exe {
		q.path = q.Exe // one text
	}
	all.by[hash] = q
	return q
}

// swap is the program of a process, in place of one that is let go; mostly it is the same.
func (all *programs) swap(old *program, p *model.Process) *program {
	if old.same(p) {
		return old
	}
	fresh := all.hold(p)
	all.drop(old)
	return fresh
}

// drop lets a program go.
func (all *programs) drop(p *program) {
	if p.refs--; p.refs > 0 {
		return
	}
	first := all.by[p.hash]
	if first == p {
		if p.next == nil {
			delete(all.by, p.hash)
		} else {
			all.by[p.hash] = p.next
		}
		return
	}
	for q := first; q != nil; q = q.next {
		if q.next == p {
			q.next = p.next
			return
		}
	}
}
