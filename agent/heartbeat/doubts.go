package heartbeat

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"cassini/agent/heartbeat/member"

	"golang.org/x/sys/unix"
)

// Doubts of a host about itself.
const (
	doubtLate      = "late" // the loop ran later than it wanted
	doubtStarved   = member.DoubtStarved
	doubtSuspended = "suspended" // the machine stood still
	doubtLink      = "link-down"
)

// starvedFrom is the share of the last ten seconds in which tasks waited for the CPU,
// in percent (Documentation/accounting/psi.rst).
const starvedFrom = 60

// doubts finds out whether this host is the one at fault. It belongs to the loop.
type doubts struct {
	addr      netip.Addr    // of heartbeats; invalid before this host has joined
	times     bool          // this process times heartbeats, and not the kernel
	suspended time.Duration // in all, when it was last looked at
	awake     time.Time     // since when
	lateUntil time.Time
}

// newDoubts is told whether this process times heartbeats itself.
func newDoubts(times bool) *doubts { return &doubts{suspended: suspension(), times: times} }

// ran notes when the loop ran, and when it had wanted to.
func (d *doubts) ran(due, now time.Time, silence time.Duration) {
	if now.Sub(due) > max(silence/4, 20*time.Millisecond) {
		d.lateUntil = now.Add(silence)
	}
}

// list are the doubts of this moment. Nothing is looked at before somebody is suspect.
func (d *doubts) list(now time.Time, silence time.Duration) (list []string) {
	if total := suspension(); total-d.suspended > silence/3 {
		d.suspended, d.awake = total, now
	}
	late := now.Before(d.lateUntil)
	if late {
		list = append(list, doubtLate)
	}
	// What the kernel timed needs no CPU of the agent: pressure alone says nothing then.
	if (late || d.times) && pressure() >= starvedFrom {
		list = append(list, doubtStarved)
	}
	if !d.awake.IsZero() && now.Sub(d.awake) < 2*silence {
		list = append(list, doubtSuspended)
	}
	if d.addr.IsValid() && linkDown(d.addr) {
		list = append(list, doubtLink)
	}
	return list
}

// suspension is for how long the machine was suspended since its boot.
func suspension() time.Duration {
	var boot, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) != nil {
		return 0
	}
	return time.Duration(boot.Nano() - mono.Nano())
}

// pressure is the share of the last ten seconds in which some task waited for the CPU,
// in percent; 0 where the kernel does not tell.
func pressure() float64 {
	raw, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	return parsePressure(raw)
}

// parsePressure reads "some avg10=1.53 avg60=..." among the lines. What makes no sense is 0.
func parsePressure(raw []byte) float64 {
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "some" {
			continue
		}
		value, ok := strings.CutPrefix(fields[1], "avg10=")
		percent, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || !(percent >= 0 && percent <= 100) { // no number fails both
			return 0
		}
		return percent
	}
	return 0
}

// linkDown says that the interface with the address has no carrier, or that none has it.
func linkDown(addr netip.Addr) bool {
	i, err := interfaceWith(addr)
	if err != nil {
		return errors.Is(err, errNoInterface)
	}
	return i.Flags&net.FlagRunning == 0
}
