package estate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"cassini/agent/netns"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// node is one namespace with a name under netns.RunDir.
type node struct {
	name   string
	path   string
	file   *os.File // the namespace itself
	named  bool
	thread *thread
	links  *netlink.Handle
}

// newNode makes a namespace with a loopback that is up. On an error it leaves nothing.
func newNode(name, hostname string) (n *node, err error) {
	n = &node{name: name, path: filepath.Join(netns.RunDir(), name)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make namespace %s: %w", name, err), n.close())
		}
	}()
	if n.thread, err = newThread(hostname); err != nil {
		return n, err
	}
	return n, n.thread.do(n.open)
}

// open runs inside.
func (n *node) open() (err error) {
	if n.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	if err := bind("/proc/thread-self/ns/net", n.path); err != nil {
		return err
	}
	n.named = true
	for _, family := range []string{"all", "default"} { // no datagrams but those of the test
		err := setting("ipv6/conf/"+family+"/disable_ipv6", "1")
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if n.links, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	return n.up("lo")
}

// setting is one of the network namespace of the calling thread.
func setting(name, value string) error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) }

// bind gives a namespace its name, as ip-netns(8) does.
func bind(from, path string) error {
	if err := makeShared(filepath.Dir(path)); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Close(), unix.Mount(from, path, "", unix.MS_BIND, "")); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", path, err), os.Remove(path))
	}
	return nil
}

func makeShared(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := unix.Mount("", dir, "", unix.MS_SHARED|unix.MS_REC, "")
	if errors.Is(err, unix.EINVAL) { // it is no mount yet
		err = errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""), unix.Mount("", dir, "", unix.MS_SHARED|unix.MS_REC, ""))
	}
	if err != nil {
		return fmt.Errorf("share %s: %w", dir, err)
	}
	return nil
}

// close lets go of the namespace and what runs in it. The kernel removes it then.
func (n *node) close() error {
	var errs []error
	if n.thread != nil {
		n.thread.stop()
	}
	if n.links != nil {
		n.links.Close()
	}
	if n.file != nil {
		errs = append(errs, n.file.Close())
	}
	if n.named {
		errs = append(errs, unbind(n.path))
	}
	return errors.Join(errs...)
}

// unbind is no error where there is none.
func unbind(path string) error {
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Remove takes away the namespaces of an estate whose process was killed. It is no error
// that there are none.
func Remove(prefix string) error {
	entries, err := os.ReadDir(netns.RunDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove estate %s: %w", prefix, err)
	}
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(prefix) + "-(core|manager|s[0-9]+(-h[0-9]+)?)$")
	var errs []error
	for _, entry := range entries {
		if ours.MatchString(entry.Name()) {
			errs = append(errs, unbind(filepath.Join(netns.RunDir(), entry.Name())))
		}
	}
	return errors.Join(errs...)
}
