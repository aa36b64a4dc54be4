package host

import (
	"os/user"
	"strconv"
	"sync"

	"cassini/bpf"
	"cassini/model"
)

// cacheLimit bounds each of the tables that Processes keeps, in entries.
const cacheLimit = 8192

// Processes completes what the kernel says of a socket's owner into what people
// want to read. The kernel's word comes first; /proc fills the gaps while the
// process lives. Safe for concurrent use.
type Processes struct {
	mu      sync.Mutex
	lives   cache[life, model.Process]
	exes    cache[file, string]
	called  cache[nickname, bool]
	cgroups *cgroups
	users   cache[uint32, string]
	groups  cache[uint32, string]

	contained func(home model.Home, cgroup string)
}

// life is one life of one process: pids are used again.
type life struct {
	pid   uint32
	start uint64
	exe   file // exec changes the program, not the life
}

type file struct {
	ino uint64
	dev uint32
}

// NewProcesses makes a resolver with empty caches.
func NewProcesses() *Processes {
	return &Processes{
		lives:   cache[life, model.Process]{limit: cacheLimit},
		exes:    cache[file, string]{limit: cacheLimit},
		called:  cache[nickname, bool]{limit: cacheLimit},
		users:   cache[uint32, string]{limit: cacheLimit},
		groups:  cache[uint32, string]{limit: cacheLimit},
		cgroups: newCgroups(),
	}
}

// Contained makes fn hear of each process that is seen for the first time and lives in a
// container. It is called before Resolve, and fn must not block.
func (p *Processes) Contained(fn func(home model.Home, cgroup string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.contained = fn
}

// Resolve describes the owner. image is what the kernel saw at the time of the
// event, or the zero Image when the owner comes from a map.
func (p *Processes) Resolve(owner bpf.Owner, image bpf.Image) model.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if owner.Kind != bpf.OwnerProcess {
		return p.faceless(owner)
	}
	key := life{owner.Tgid, owner.StartNs, file{owner.ExeIno, owner.ExeDev}}
	if proc, ok := p.lives.get(key); ok && !proc.Partial {
		return proc
	}
	proc := p.resolve(owner, image)
	p.lives.put(key, proc)
	return proc
}

// faceless describes an owner that is no process we can name.
func (p *Processes) faceless(owner bpf.Owner) model.Process {
	proc := model.Process{Exe: model.KernelExe, Cmdline: []string{}, Comm: bpf.CommString(owner)}
	if owner.Kind == bpf.OwnerUnknown {
		proc.Exe, proc.Partial = model.UnknownExe, true
	}
	p.name(&proc, owner.Uid, owner.Gid)
	return proc
}

func (p *Processes) resolve(owner bpf.Owner, image bpf.Image) model.Process {
	proc := model.Process{
		PID:      int(owner.Tgid),
		Comm:     bpf.CommString(owner),
		Exe:      image.Exe,
		Cwd:      image.Cwd,
		Cmdline:  image.Cmdline,
		CgroupID: owner.Cgroup,
	}
	p.name(&proc, owner.Uid, owner.Gid)
	if proc.Exe == "" || proc.Cwd == "" || len(proc.Cmdline) == 0 || image.CmdlineCut {
		fillFromProc(&proc, owner.StartNs)
	}
	exe := file{owner.ExeIno, owner.ExeDev}
	if proc.Exe != "" {
		p.exes.put(exe, proc.Exe)
	} else if known, ok := p.exes.get(exe); ok {
		proc.Exe = known
	} else {
		proc.Exe = "[" + proc.Comm + "]"
	}
	if proc.Cmdline == nil {
		proc.Cmdline = []string{}
	}
	proc.CalledAs = p.calledAs(&proc, exe)
	proc.Partial = proc.Exe[0] == '[' || proc.Cwd == "" || len(proc.Cmdline) == 0
	proc.Cgroup = p.cgroups.path(owner.Cgroup, proc.PID, owner.StartNs)
	proc.Home = home(proc.Cgroup)
	if p.contained != nil && proc.Home != nil && proc.Home.ContainerID != "" {
		p.contained(*proc.Home, proc.Cgroup)
	}
	return proc
}

// name fills in the user and group, by name where the system knows one.
func (p *Processes) name(proc *model.Process, uid, gid uint32) {
	proc.UIDNum, proc.GIDNum = uid, gid
	proc.UID = lookup(&p.users, uid, func(id string) (string, error) {
		u, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
	proc.GID = lookup(&p.groups, gid, func(id string) (string, error) {
		g, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

// lookup is the name of a numeric id, or the number itself.
func lookup(names *cache[uint32, string], id uint32, find func(string) (string, error)) string {
	if name, ok := names.get(id); ok {
		return name
	}
	number := strconv.FormatUint(uint64(id), 10)
	name, err := find(number)
	if err != nil {
		return number // not kept: the account may be made in a moment
	}
	names.put(id, name)
	return name
}
