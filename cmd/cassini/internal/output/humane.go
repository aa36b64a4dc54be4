package output

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Ago says how long before now a time was: "3m ago". "-" for the zero time.
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := now.Sub(t)
	switch {
	case d < -time.Second:
		return "in " + Duration(-d)
	case d < time.Second:
		return "just now"
	}
	return Duration(d) + " ago"
}

// Duration is a duration in its two largest units at most: "45s", "3m", "2h10m",
// "5d3h".
func Duration(d time.Duration) string {
	d = d.Truncate(time.Second)
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	hours, minutes := rest/time.Hour, rest%time.Hour/time.Minute
	switch {
	case days >= 10 || days > 0 && hours == 0:
		return fmt.Sprintf("%dd", days)
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours >= 10 || hours > 0 && minutes == 0:
		return fmt.Sprintf("%dh", hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm", minutes)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// Micros is a short duration given in microseconds: "85µs", "1.2ms". "-" for 0.
func Micros(us uint64) string {
	switch {
	case us == 0:
		return "-"
	case us < 1000:
		return fmt.Sprintf("%dµs", us)
	case us < 1_000_000:
		return fmt.Sprintf("%.1fms", float64(us)/1e3)
	}
	return fmt.Sprintf("%.1fs", float64(us)/1e6)
}

// Lasting is a duration of any length given in microseconds: "85µs", "12.3s", "2h10m".
// "-" for 0.
func Lasting(us uint64) string {
	if us < 60_000_000 {
		return Micros(us)
	}
	return Duration(time.Duration(min(us, math.MaxInt64/1000)) * time.Microsecond)
}

// Count is a number with thousands separators: "1,234,567".
func Count[N int | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	if n > 0 {
		digits = strconv.FormatUint(uint64(n), 10)
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Bytes is a size in binary units: "512 B", "1.5 KiB".
func Bytes(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1023.95 && unit < 5 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[unit])
}
