package enroll

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Bounds of labels.
const (
	maxLabels     = 16
	maxLabelValue = 100 // bytes
)

// labelKey is what keys of labels look like.
var labelKey = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)

// checkLabels says whether hosts can have labels.
func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return fmt.Errorf("%d labels: %w: want %d at most", len(labels), ErrInvalid, maxLabels)
	}
	for key, value := range labels {
		switch {
		case !labelKey.MatchString(key):
			return fmt.Errorf("label %q: %w: want a key of up to 63 small letters, digits, dots, hyphens and underscores", key, ErrInvalid)
		case value == "" || len(value) > maxLabelValue || strings.ContainsFunc(value, unicode.IsControl):
			return fmt.Errorf("label %s=%q: %w: want a value of up to %d bytes without control characters", key, value, ErrInvalid, maxLabelValue)
		}
	}
	return nil
}
