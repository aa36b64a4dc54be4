package model

import (
	"path"
	"strings"
)

// KernelExe stands as the executable of sockets that the kernel itself owns
// (NFS, iSCSI, ...): they belong to no process.
const KernelExe = "[kernel]"

// UnknownExe stands as the executable of sockets whose process could not be told.
const UnknownExe = "[unknown]"

// Process is the owner of a socket as the kernel named it, completed from /proc
// where the process still lived when it was looked at.
type Process struct {
	PID  int    `json:"pid"` // 0 for the kernel
	Exe  string `json:"exe"` // path; KernelExe for the kernel; the command name in [] when the path is unknown
	Comm string `json:"comm,omitempty"`
	// CalledAs is the name by which it was started, where that is another one of the same file: redis-server of
	// redis-check-rdb, httpd of busybox. Otherwise it is empty.
	CalledAs string   `json:"called_as,omitempty"`
	Cmdline  []string `json:"cmdline"`
	UID      string   `json:"uid"` // user name, or the number where no name is known
	GID      string   `json:"gid"`
	UIDNum   uint32   `json:"uid_number"`
	GIDNum   uint32   `json:"gid_number"`
	Cwd      string   `json:"cwd"`
	// Cgroup is the path of the cgroup v2, "/" for the root; CgroupID its inode. Where the
	// v2 is not in use, it is the path in the hierarchy of the v1 that tells most.
	Cgroup   string `json:"cgroup,omitempty"`
	CgroupID uint64 `json:"cgroup_id,omitempty"`
	// Home is what the cgroup's path tells; nil when that is nothing. It is never changed.
	Home *Home `json:"home,omitempty"`
	// Partial names what could not be read because the process had gone.
	Partial bool `json:"partial,omitempty"`
}

// Kernel reports whether the owner is the kernel rather than a process.
func (p Process) Kernel() bool { return p.Exe == KernelExe }

// Program is the short name of the executable: what it was called as, else its base name, without the
// brackets of KernelExe.
func (p Process) Program() string {
	if p.CalledAs != "" {
		return p.CalledAs
	}
	if p.Exe == "" {
		return "unknown"
	}
	return strings.Trim(path.Base(strings.TrimSuffix(p.Exe, " (deleted)")), "[]")
}
