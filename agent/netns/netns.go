// Package netns finds this host's network namespaces, names them and runs
// functions inside them.
package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// runDir is where ip-netns(8) keeps the namespaces that it names.
const runDir = "/run/netns"

// Names tells names of network namespaces by inode. The zero value is ready and
// safe for concurrent use.
type Names struct {
	mu    sync.Mutex
	known map[uint32]string // names under runDir, by inode
	own   uint32
}

// Name is "" for the host's own namespace, the name given by ip-netns(8) if
// there is one, else "net:[INODE]".
func (n *Names) Name(inode uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.own == 0 {
		n.own = hostInode()
	}
	if inode == n.own || inode == 0 {
		return ""
	}
	if name, ok := n.known[inode]; ok && inodeOf(filepath.Join(runDir, name)) == inode {
		return name
	}
	n.known = named()
	return called(inode, n.known)
}

// called is how a namespace is called that is not the host's own.
func called(inode uint32, named map[uint32]string) string {
	if name, ok := named[inode]; ok {
		return name
	}
	return "net:[" + strconv.FormatUint(uint64(inode), 10) + "]"
}

// hostInode is the namespace of init, or our own where init's cannot be read.
func hostInode() uint32 {
	if inode := inodeOf("/proc/1/ns/net"); inode != 0 {
		return inode
	}
	return inodeOf(ownPath)
}

func named() map[uint32]string {
	names := make(map[uint32]string)
	entries, err := os.ReadDir(runDir)
	if err != nil {
		return names // nobody has named any
	}
	for _, entry := range entries {
		if inode := inodeOf(filepath.Join(runDir, entry.Name())); inode != 0 {
			names[inode] = entry.Name()
		}
	}
	return names
}

func inodeOf(path string) uint32 {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0
	}
	return uint32(st.Ino)
}

func inodeOfFile(fd int) uint32 {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0
	}
	return uint32(st.Ino)
}

// ProbeEnter says why this process cannot enter other network namespaces, or nil. Each
// and List then know of its own alone.
func ProbeEnter() error {
	fd, err := unix.Open(ownPath, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer unix.Close(fd)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Into the one where it is: the rights that it asks for are the same.
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w; it wants CAP_SYS_ADMIN", err)
	}
	return nil
}

// Each calls fn once inside every network namespace that has a process or a
// name, with the calling goroutine's thread in that namespace. A namespace that
// vanishes meanwhile is passed over; the first error of fn ends the walk.
func Each(ctx context.Context, fn func() error) error {
	result := make(chan error, 1)
	go func() { result <- onOwnThread(func() error { return walk(ctx, fn) }) }()
	return <-result
}

// onOwnThread runs fn with the goroutine bound to its thread, and brings the
// thread back to the namespace where it was. A thread that cannot be brought
// back stays bound, so that it ends with the goroutine.
func onOwnThread(fn func() error) error {
	runtime.LockOSThread()
	home, err := unix.Open(ownPath, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer unix.Close(home)
	err = fn()
	if inodeOf(ownPath) == inodeOfFile(home) {
		runtime.UnlockOSThread() // it never left
		return err
	}
	if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("return to own network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

// walkTries is how often namespaces are listed anew because a process ended that was the
// way into one: another may be in it.
const walkTries = 5

func walk(ctx context.Context, fn func() error) error {
	been := make(map[uint32]bool)
	for range walkTries {
		list, err := List()
		if err != nil {
			return err
		}
		missed := false
		for _, ns := range list {
			if been[ns.Inode] {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			entered, err := enter(ns.Path)
			if err != nil {
				return err
			}
			if !entered {
				missed = missed || ns.PID != 0
				continue
			}
			been[ns.Inode] = true
			if err := fn(); err != nil {
				return fmt.Errorf("in network namespace %s: %w", ns.Path, err)
			}
		}
		if !missed {
			return nil
		}
	}
	return nil
}

// enter moves the thread into the namespace; false when it has gone.
func enter(path string) (bool, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open network namespace %s: %w", path, err)
	}
	defer unix.Close(fd)
	if inodeOfFile(fd) == inodeOf(ownPath) {
		return true, nil // this asks for no right
	}
	err = unix.Setns(fd, unix.CLONE_NEWNET)
	if errors.Is(err, unix.EINVAL) {
		return false, nil // a name that is being made or taken away: an empty file
	}
	if err != nil {
		return false, fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	return true, nil
}

// Namespace is one network namespace and a way into it.
type Namespace struct {
	Inode uint32
	Name  string // as Names.Name has it
	Path  string // of its file
	PID   int    // of a process in it; 0 when a name keeps it
}

// ownPath is the namespace of the calling thread.
const ownPath = "/proc/thread-self/ns/net"

// List finds every network namespace that has a process or a name, our own first. One that
// has a name is entered by it: a process may end at any time. Where others cannot be
// entered, it is our own alone.
func List() ([]Namespace, error) {
	own, host := inodeOf(ownPath), hostInode()
	known := named()
	listed := make(map[uint32]bool)
	var list []Namespace
	add := func(inode uint32, path string, pid int) {
		if inode == 0 || listed[inode] {
			return // it has gone, or is there
		}
		listed[inode] = true
		ns := Namespace{Inode: inode, Path: path, PID: pid}
		if inode != host {
			ns.Name = called(inode, known)
		}
		list = append(list, ns)
	}
	add(own, ownPath, 0)
	if errors.Is(ProbeEnter(), unix.EPERM) {
		return list, nil
	}
	for inode, name := range known {
		add(inode, filepath.Join(runDir, name), 0)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return nil, fmt.Errorf("list network namespaces: %w", err)
	}
	for _, path := range procs {
		pid, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(path, "/proc/"), "/ns/net"))
		add(inodeOf(path), path, pid)
	}
	return list, nil
}

// Do calls fn with the calling goroutine's thread inside the namespace. The error
// wraps os.ErrNotExist when the namespace has gone.
func (n Namespace) Do(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		result <- onOwnThread(func() error {
			entered, err := enter(n.Path)
			if err != nil {
				return err
			}
			if !entered || inodeOf(ownPath) != n.Inode {
				return fmt.Errorf("enter network namespace %s: %w", n.Path, os.ErrNotExist)
			}
			return fn()
		})
	}()
	return <-result
}

// RunDir is where ip-netns(8) keeps the namespaces that it names.
func RunDir() string { return runDir }
