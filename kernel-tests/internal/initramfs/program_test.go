package initramfs

import (
	"runtime"
	"strings"
	"testing"
)

func TestCheckProgram(t *testing.T) {
	mine, other := runtime.GOARCH, "arm64"
	if mine == other {
		other = "amd64"
	}
	init, err := Init(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckProgram(init.Data, mine); err != nil {
		t.Errorf("static program: %v", err)
	}
	if err := CheckProgram(init.Data, other); err == nil || !strings.Contains(err.Error(), "GOARCH="+other) {
		t.Errorf("program for %s on %s: %v", mine, other, err)
	}
	if err := CheckProgram([]byte("#!/bin/sh"), mine); err == nil {
		t.Error("script accepted")
	}
}
