package host

import (
	"bytes"
	"os"
	"strconv"

	"cassini/bpf"
	"cassini/model"
)

// AsNow describes an owner that was resolved before, with the user and the group that it has now:
// daemons open their sockets as root and then become somebody else. False: it has gone.
func (p *Processes) AsNow(owner bpf.Owner) (model.Process, bool) {
	dir := "/proc/" + strconv.FormatUint(uint64(owner.Tgid), 10)
	status, err := os.ReadFile(dir + "/status")
	if err != nil || !sameLife(dir, owner.StartNs) {
		return model.Process{}, false
	}
	uid, ok := realID(status, "Uid:")
	gid, too := realID(status, "Gid:")
	p.mu.Lock()
	defer p.mu.Unlock()
	key := life{owner.Tgid, owner.StartNs, file{owner.ExeIno, owner.ExeDev}}
	proc, known := p.lives.get(key)
	if !ok || !too || !known {
		return model.Process{}, false
	}
	if proc.UIDNum != uid || proc.GIDNum != gid {
		p.name(&proc, uid, gid)
		p.lives.put(key, proc)
	}
	return proc, true
}

// realID is the first number of a line of /proc/PID/status (proc(5)).
func realID(status []byte, name string) (uint32, bool) {
	for line := range bytes.Lines(status) {
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == name {
			id, err := strconv.ParseUint(string(fields[1]), 10, 32)
			return uint32(id), err == nil
		}
	}
	return 0, false
}
