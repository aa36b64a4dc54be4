package capture

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hiddenCloses counts from now on how many connections of a server's port close
// in the time of init's threads. Some kernels (that of one sandbox, so far) run no
// eBPF tracing program there, although an interrupt may bring any socket's packets
// just then. Perf events see them; where these cannot be had the count is 0.
func hiddenCloses(t *testing.T, port uint16) func() uint64 {
	t.Helper()
	const event = "/sys/kernel/tracing/events/sock/inet_sock_set_state/id"
	text, err := os.ReadFile(event)
	if err != nil {
		return func() uint64 { return 0 }
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	threads, err := os.ReadDir("/proc/1/task")
	if err != nil {
		t.Fatal(err)
	}
	const tcpClose, tcpListen = 7, 10
	filter := fmt.Sprintf("newstate == %d && oldstate != %d && sport == %d", tcpClose, tcpListen, port)
	var fds []int
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
		fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			t.Logf("closes in the time of init cannot be counted: %v", err)
			break
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.IoctlSetString(fd, unix.PERF_EVENT_IOC_SET_FILTER, filter); err != nil {
			t.Fatalf("filter %q: %v", filter, err)
		}
		fds = append(fds, fd)
	}
	return func() (sum uint64) {
		for _, fd := range fds {
			var value [8]byte
			if _, err := unix.Read(fd, value[:]); err != nil {
				t.Fatalf("read perf event: %v", err)
			}
			sum += binary.NativeEndian.Uint64(value[:])
		}
		return sum
	}
}
