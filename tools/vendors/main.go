// Command vendors writes the registry of hardware addresses that the manager bears,
// from the lists of the IEEE Registration Authority as Debian's package ieee-data has
// them: oui.csv (MA-L), mam.csv (MA-M) and oui36.csv (MA-S).
package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	from := flag.String("from", "/usr/share/ieee-data", "`directory` with oui.csv, mam.csv and oui36.csv")
	to := flag.String("to", "manager/vendors/registry.txt", "`file` to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "vendors:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	names := make(map[string]string)
	for _, file := range []string{"oui.csv", "mam.csv", "oui36.csv"} {
		if err := read(filepath.Join(from, file), names); err != nil {
			return err
		}
	}
	var out strings.Builder
	for _, prefix := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&out, "%s %s\n", prefix, names[prefix])
	}
	if err := os.WriteFile(to, []byte(out.String()), 0o644); err != nil {
		return fmt.Errorf("write the registry: %w", err)
	}
	fmt.Printf("%s: %d assignments\n", to, len(names))
	return nil
}

// read takes the assignments of one list. What the authority keeps for smaller blocks
// of its own is told by those.
func read(path string, names map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open a list (apt-get install ieee-data, or -from): %w", err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 4
	if _, err := r.Read(); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		prefix, name := strings.ToLower(record[1]), strings.Join(strings.Fields(record[2]), " ")
		if name == "IEEE Registration Authority" || name == "" {
			continue
		}
		names[prefix] = name // the latest, where a block was given twice
	}
}
