package bpf

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ReadClock takes the kernel's clocks and the wall clock at one moment.
func ReadClock() (Clock, error) {
	var mono, boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono); err != nil {
		return Clock{}, fmt.Errorf("read CLOCK_MONOTONIC: %w", err)
	}
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return Clock{}, fmt.Errorf("read CLOCK_BOOTTIME: %w", err)
	}
	// Round strips the runtime's own monotonic reading.
	return Clock{Wall: time.Now().Round(0), MonoNs: uint64(mono.Nano()), BootNs: uint64(boot.Nano())}, nil
}
