package capture

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// A process in a chroot, as Postfix's are, means a file below it by an absolute path, and one below its
// directory by a relative one, also where it has a mount namespace of its own. One that serves and then
// goes into a chroot is where it was.
func TestUnixChroot(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	for name, flags := range map[string]uintptr{"the host's mounts": 0, "mounts of its own": syscall.CLONE_NEWNS} {
		t.Run(name, func(t *testing.T) {
			dir := shortDir(t)
			jail := filepath.Join(dir, "jail")
			if err := os.MkdirAll(filepath.Join(jail, "public"), 0o755); err != nil {
				t.Fatal(err)
			}
			relative, absolute, own := filepath.Join(jail, "public", "r"), filepath.Join(jail, "a"), filepath.Join(dir, "own")
			serveUnix(t, "unix", relative)
			serveUnix(t, "unix", absolute)
			c := unixCommand(t, "jailed", own, jail, "public/r", "/a")
			c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: flags}
			in, err := c.StdinPipe()
			if err == nil {
				err = c.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			if l := r.listens(own, listening); l.PID != c.Process.Pid || l.MntnsName != "" {
				t.Errorf("%s is served by %+v", own, l)
			}
			dialUnix(t, "unix", own)
			r.depends(own, counts(1, 0, 1))
			for _, path := range []string{relative, absolute} {
				d := r.depends(path, func(d model.Dependency) bool { return d.PID == c.Process.Pid })
				if !counts(1, 0, 1)(d) || d.MntnsName != "" {
					t.Errorf("%s: %+v", path, d)
				}
			}
			_ = in.Close()
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// serveJailed serves a path, goes into a chroot, and dials others there.
func serveJailed(own, jail string, paths []string) error {
	l, err := net.Listen("unix", own)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := errors.Join(os.Chdir(jail), unix.Chroot(".")); err != nil {
		return err
	}
	for _, path := range paths {
		conn, err := net.Dial("unix", path)
		if err != nil {
			return err
		}
		defer conn.Close()
	}
	waitForEnd()
	return nil
}
