package capture

import (
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// Threads have names of their own (Java's, a database's): what they open is their process's, by its name.
func TestNamesOfThreads(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	raw, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	comm := strings.TrimSpace(string(raw))
	var l *net.TCPListener
	onOtherThread(func() {
		name := append([]byte("some-thread"), 0)
		if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0); err != nil {
			t.Error(err)
		}
		l = listen(t, "tcp4", "127.0.0.1:0", false)
		conn, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Error(err)
		} else {
			_ = conn.Close()
		}
	})
	got := r.listener("of a thread", func(s model.Listener) bool { return s.Proto == "tcp" && s.Port == portOf(l) })
	out := r.dependency("of a thread", func(d model.Dependency) bool { return d.Port == portOf(l) && d.Direction == model.Out })
	for _, p := range []model.Process{got.Process, out.Process} {
		if p.Comm != comm {
			t.Errorf("the process is called %q, want %q", p.Comm, comm)
		}
	}
}

// onOtherThread runs fn on a thread that is not the process's first, and ends with it.
func onOtherThread(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			fn()
			return // never unlocked: the thread ends with the goroutine
		}
		onOtherThread(fn) // the first is held meanwhile
		runtime.UnlockOSThread()
	}()
	<-done
}
