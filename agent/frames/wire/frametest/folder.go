package frametest

import (
	"os"
	"path/filepath"
	"testing"
)

// Folder is where captures are: CASSINI_PCAP, or shared/pcap beside the
// repository. Without either it is "", which fails the test where
// CASSINI_REQUIRE_PCAP is set.
func Folder(tb testing.TB) string {
	tb.Helper()
	folder := os.Getenv("CASSINI_PCAP")
	if folder == "" {
		folder = filepath.Join(root(tb), "..", "shared", "pcap")
	}
	if info, err := os.Stat(folder); err == nil && info.IsDir() {
		return folder
	}
	if os.Getenv("CASSINI_REQUIRE_PCAP") != "" {
		tb.Fatalf("no captures in %s; set CASSINI_PCAP to a folder of them", folder)
	}
	return ""
}

// root is the folder of go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// Captures are the files of Folder.
func Captures(tb testing.TB) (files []string) {
	tb.Helper()
	folder := Folder(tb)
	if folder == "" {
		return nil
	}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			switch filepath.Ext(path) {
			case ".pcap", ".pcapng", ".cap", ".gz", ".dmp":
				files = append(files, path)
			}
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}
