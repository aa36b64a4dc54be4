package estate

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Tap is a port of a switch for a machine that is none of the estate's namespaces, such as a
// virtual one: it reads from the file what the switch sends there, and writes what it sends, a
// frame at a time. The port ends with the file. Errors wrap ErrUnknown for an unknown switch.
func (e *Estate) Tap(number int, port string) (file *os.File, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sw, err := e.bridge(number)
	if err != nil {
		return nil, err
	}
	if err := sw.thread.do(func() error { file, err = openTap(port); return err }); err != nil {
		return nil, fmt.Errorf("make port %s of %s: %w", port, sw.name, err)
	}
	if err := sw.plug(port); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// openTap makes a device in the namespace of the calling thread.
func openTap(name string) (*os.File, error) {
	const control = "/dev/net/tun"
	fd, err := unix.Open(control, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", control, err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), control), nil
}
