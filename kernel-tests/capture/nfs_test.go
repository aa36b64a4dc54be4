package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// nfsChild is the argument of a process that has the kernel serve a directory by NFS and
// mount it, in namespaces of its own.
const nfsChild = "nfs"

const (
	nfsPort  = 2049
	nfsFiles = 1000 // in the directory that is read through the mount
	nfsName  = 200  // bytes of each one's name
)

// nfsMain exports, mounts and reads; with the next line of its input it takes everything back.
func nfsMain() int {
	if err := nfsServeAndMount(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func nfsServeAndMount() (err error) {
	dir, err := os.MkdirTemp("", "nfs")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	served, mounted, control := filepath.Join(dir, "served"), filepath.Join(dir, "mounted"), filepath.Join(dir, "control")
	err = errors.Join(loopbackUp(), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		os.Mkdir(served, 0o755), os.Mkdir(mounted, 0o755), os.Mkdir(control, 0o755),
		// The root of what is exported must be of a file system that can be.
		unix.Mount("served", served, "tmpfs", 0, ""), unix.Mount("nfsd", control, "nfsd", 0, ""))
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	// The server lets go of what it served a moment later.
	defer func() { err = errors.Join(err, unix.Unmount(control, 0), unix.Unmount(served, unix.MNT_DETACH)) }()
	for i := range nfsFiles {
		if err := os.WriteFile(filepath.Join(served, fmt.Sprintf("%0*d", nfsName, i)), nil, 0o644); err != nil {
			return err
		}
	}
	if err := nfsServe(control, served); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	defer func() { err = errors.Join(err, tell(filepath.Join(control, "threads"), "0\n")) }()
	if err := unix.Mount("127.0.0.1:/", mounted, "nfs4", 0, "vers=4.2,proto=tcp,addr=127.0.0.1,clientaddr=127.0.0.1"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Unmount(mounted, 0)) }()
	// To open a file would take the 90 seconds that a new server waits for clients of old.
	names, err := os.ReadDir(mounted)
	if err != nil {
		return err
	}
	fmt.Println("mounted and read", len(names))
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// nfsServe does what exportfs, rpc.mountd and rpc.nfsd do: it fills the tables that the
// kernel asks about clients and directories, and starts the server's threads
// (Documentation/filesystems/nfs/rpc-cache.rst, fs/nfsd/export.c).
func nfsServe(control, dir string) error {
	const (
		noSubtreeCheck = 0x400
		insecurePort   = 0x2
		fsid           = 0x2000
	)
	until := time.Now().Add(time.Hour).Unix()
	tables := "/proc/thread-self/net/rpc/"
	err := errors.Join(
		tell(tables+"auth.unix.ip/channel", fmt.Sprintf("nfsd 127.0.0.1 %d everybody\n", until)),
		tell(tables+"nfsd.export/channel", fmt.Sprintf("everybody %s %d %d 65534 65534 0\n", dir, until, noSubtreeCheck|insecurePort|fsid)),
		tell(tables+"nfsd.fh/channel", fmt.Sprintf("everybody 1 \\x00000000 %d %s\n", until, dir)), // by number: the root of NFSv4
	)
	if err != nil {
		return err
	}
	_ = tell(filepath.Join(control, "versions"), "-2\n") // not there in newer kernels
	return errors.Join(
		tell(filepath.Join(control, "versions"), "-3\n"), // else it needs lockd, and that rpcbind
		// Newer kernels do not begin to listen by themselves as threads are asked for.
		tell(filepath.Join(control, "portlist"), fmt.Sprintf("tcp %d\n", nfsPort)),
		tell(filepath.Join(control, "threads"), "2\n"),
	)
}

// tell writes a line into a file of the kernel, in one go.
func tell(path, line string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	return errors.Join(err, file.Close())
}

// needNFS leaves a test out where the kernel has no NFS. Debian's kernels have it.
func needNFS(t *testing.T) {
	t.Helper()
	raw, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"nfsd", "nfs4"} {
		if strings.Contains(string(raw), "\t"+kind+"\n") {
			continue
		}
		notTested(t, "this kernel has no NFS: no %s", kind)
	}
}

// A mount of the kernel's client from the kernel's server is the kernel's on both sides: the
// service, which a process asked for, and the connection, which another asked for.
func TestNFS(t *testing.T) {
	needNFS(t)
	r := start(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, childArg, nfsChild)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = in.Close()
			_ = cmd.Wait()
		}
	}()
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || said != fmt.Sprintf("mounted and read %d\n", nfsFiles) {
		t.Fatalf("the process that mounts said %q, %v", said, err)
	}

	service := func(l model.Listener) bool { // one of two: the kernel listens at IPv6 too
		return l.Port == nfsPort && l.Proto == "tcp" && l.NetnsName != "" && l.Addr.Is4()
	}
	l := r.listener("nfsd", service)
	if !l.Kernel() || l.PID != 0 || l.Program() != "kernel" || l.Workers != nil || l.State != model.StateListening {
		t.Errorf("the service is %+v, want the kernel's", l)
	}
	open := make(map[model.Direction]model.Dependency)
	for _, direction := range []model.Direction{model.Out, model.In} {
		// Just one document is there, or the wait fails: neither process has one.
		d := r.dependency(string(direction)+" mount", func(d model.Dependency) bool { return d.Port == nfsPort && d.Direction == direction })
		if !d.Kernel() || d.PID != 0 || d.Open == 0 || d.Failed != 0 || d.Netns != l.Netns ||
			d.Client.String() != "127.0.0.1" || d.Server.String() != "127.0.0.1" {
			t.Errorf("%s: %+v, want the kernel's", direction, d)
		}
		open[direction] = d
	}
	const moved = nfsFiles * nfsName
	client, server := open[model.Out], open[model.In]
	if client.BytesReceived < moved || server.BytesSent < moved || client.Connections != server.Connections || client.Open != server.Open {
		t.Errorf("read more than %d bytes; the client's end has %+v, the server's %+v", moved, client.Counters, server.Counters)
	}

	ended = true
	_, err = io.WriteString(in, "end\n")
	rest, err2 := io.ReadAll(out)
	if err := errors.Join(err, err2, cmd.Wait()); err != nil {
		t.Fatalf("%s: %v", rest, err)
	}
	for direction := range open {
		r.dependency(string(direction)+" unmounted", func(d model.Dependency) bool {
			return d.Port == nfsPort && d.Direction == direction && d.Open == 0 && d.Kernel()
		})
	}
	r.listener("nfsd ended", func(l model.Listener) bool { return service(l) && l.State == model.StateEnded })
}
