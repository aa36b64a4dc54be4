// Package alarm is a timer that wakes one thread and nothing else.
//
// Go's own timers wake, beside the thread that waits for them, the scheduler's monitor,
// which then looks several times whether the program is idle again (runtime/proc.go,
// sysmon). An idle agent that sends a heartbeat each second spent more on that than on the
// heartbeat. A timer of the kernel (timerfd_create(2)) is a file like a socket, read
// without telling the scheduler.
package alarm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Alarm rings once at the time that was last set. Its methods may be called concurrently.
type Alarm struct {
	file  *os.File
	raw   syscall.RawConn
	rings chan struct{}
}

// New is an alarm that is not set.
func New() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer (timerfd): %w", err)
	}
	a := &Alarm{file: os.NewFile(uintptr(fd), "timerfd"), rings: make(chan struct{}, 1)}
	if a.raw, err = a.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("create a timer (timerfd): %w", err), a.file.Close())
	}
	return a, nil
}

// C rings. It may ring for a time that is set no more: who hears it looks at the clock.
func (a *Alarm) C() <-chan struct{} { return a.rings }

// Set has the alarm ring at a time, by the monotonic clock, and no more at the one before.
// The zero time is never.
func (a *Alarm) Set(at time.Time) error {
	var spec unix.ItimerSpec // zero disarms
	if !at.IsZero() {
		spec.Value = unix.NsecToTimespec(int64(max(time.Until(at), 1)))
	}
	var errno syscall.Errno
	err := a.raw.Control(func(fd uintptr) {
		_, _, errno = unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
		runtime.KeepAlive(&spec)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return fmt.Errorf("set the timer (timerfd): %w", err)
	}
	return nil
}

// Run waits for the kernel until Close.
func (a *Alarm) Run() {
	var expirations uint64
	_ = a.raw.Read(func(fd uintptr) bool { // called each time that there may be something to read; ends by Close alone
		_, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&expirations)), unsafe.Sizeof(expirations))
		if errno != 0 {
			return false // EAGAIN; nothing else is possible
		}
		select {
		case a.rings <- struct{}{}:
		default: // it rings already
		}
		return false
	})
}

// Close ends Run.
func (a *Alarm) Close() error { return a.file.Close() }
