// Package figures sums up what benchmarks measured, and writes it for people.
package figures

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Quantile is the nearest rank of one value at least; with less than 100 values the 99th
// percentile is the greatest.
func Quantile[T int | time.Duration](values []T, of float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(of*float64(len(sorted))))-1)]
}

// Short is a duration with two or three digits that count.
func Short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(max(1, unit/100)).String()
		}
	}
	return d.String()
}

// Count is a number with a comma behind each three digits.
func Count(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	var grouped []byte
	for i, c := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			grouped = append(grouped, ',')
		}
		grouped = append(grouped, c)
	}
	return string(grouped)
}

// Bytes is a size in the unit that fits, in powers of 1,024.
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if size >= 100 || unit == 0 {
		return fmt.Sprintf("%.0f %s", size, units[unit])
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
