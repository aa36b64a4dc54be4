package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// pressure is how long some task of the machine has waited for a processor, up to now
// (Documentation/accounting/psi.rst); 0 where the kernel does not tell.
func pressure() time.Duration {
	return time.Duration(pressureField("total=")) * time.Microsecond
}

// pressureField is one of the line of tasks that waited.
func pressureField(name string) float64 {
	raw, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	_, rest, _ := strings.Cut(line, name)
	value, _, _ := strings.Cut(rest, " ")
	n, _ := strconv.ParseFloat(value, 64)
	return n
}

// pressured is the share of the time since begin in which some task waited, in percent.
func pressured(before time.Duration, begin time.Time) float64 {
	return 100 * (pressure() - before).Seconds() / time.Since(begin).Seconds()
}

// calm waits until others leave the machine alone, but not for ever.
func calm(ctx context.Context, cfg config) {
	if cfg.Calm == 0 {
		return
	}
	_ = until(ctx, 3*time.Minute, time.Second, func() error {
		if now := pressureField("avg10="); now > cfg.Calm {
			return fmt.Errorf("tasks wait for %v%% of the time", now)
		}
		return nil
	})
}
