package alerts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Headers of webhooks.
const (
	// HeaderSignature is "t=SECONDS,v1=HEX": HMAC-SHA256 of "SECONDS.BODY" with the
	// shared secret. The time lets the receiver refuse what somebody sends again.
	HeaderSignature = "Cassini-Signature"
	HeaderDelivery  = "Cassini-Delivery" // Message.Delivery
)

// webhook is an URL that gets a Message for each change of an incident.
type webhook struct {
	*endpoint
	manager    string
	secretFile string // "": nothing is signed
}

// Batch implements Receiver.
func (*webhook) Batch() int { return 1 }

// Repeat implements Receiver.
func (*webhook) Repeat() time.Duration { return 0 }

// Send implements Receiver. The secret is read each time, so that it can be replaced.
func (w *webhook) Send(ctx context.Context, notices []Notice, now time.Time) error {
	for _, n := range notices {
		m, body, err := newMessage(n, w.manager, w.tenant, now)
		if err != nil {
			return err
		}
		header := map[string]string{HeaderDelivery: m.Delivery}
		if w.secretFile != "" {
			secret, err := readSecret(w.secretFile)
			if err != nil {
				return fmt.Errorf("tell %s: %w", w.name, err)
			}
			header[HeaderSignature] = Sign(secret, body, now)
		}
		if err := w.post(ctx, "", body, header); err != nil {
			return err
		}
	}
	return nil
}

// Sign makes the signature of a body.
func Sign(secret, body []byte, now time.Time) string {
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, at+".") // of a hash: never fails
	_, _ = mac.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// maxSecret is the size of a secret in bytes.
const maxSecret = 4096

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(raw))
	switch {
	case len(raw) > maxSecret:
		return nil, fmt.Errorf("read the secret from %s: it has more than %d bytes", path, maxSecret)
	case secret == "":
		return nil, fmt.Errorf("read the secret from %s: %w", path, errors.New("the file is empty"))
	}
	return []byte(secret), nil
}
