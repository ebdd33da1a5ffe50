// Command gpuplugin tells a kubelet of GPUs that are not there, as a device plugin does of GPUs that are.
//
// The kubelet allocates them for real: each container that asks for some is given devices of its own, whose ids it
// finds in NVIDIA_VISIBLE_DEVICES, as with NVIDIA's plugin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const socket = "fake-gpu.sock"

type plugin struct {
	api.UnimplementedDevicePluginServer
	devices []*api.Device
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

// ListAndWatch tells of all devices once: they never fail. The kubelet holds the plugin for dead when the stream ends.
func (p *plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (p *plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, container := range asked.ContainerRequests {
		ids := strings.Join(container.DevicesIds, ",")
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": ids},
		})
	}
	return answer, nil
}

// serve registers with the kubelet and returns when the kubelet has removed the socket, as it does when it starts.
func serve(devices []*api.Device, folder, resource string) error {
	path := filepath.Join(folder, socket)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	api.RegisterDevicePluginServer(server, &plugin{devices: devices})
	go server.Serve(listener)
	if err := register(folder, resource); err != nil {
		return err
	}
	log.Printf("registered %d %s", len(devices), resource)
	for {
		time.Sleep(200 * time.Millisecond)
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
}

func register(folder, resource string) error {
	kubelet := "unix://" + filepath.Join(folder, "kubelet.sock")
	connection, err := grpc.NewClient(kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = api.NewRegistrationClient(connection).Register(ctx, &api.RegisterRequest{
		Version: api.Version, Endpoint: socket, ResourceName: resource,
	})
	return err
}

func main() {
	node := flag.String("node", "", "the node's name, part of each device's id")
	count := flag.Int("count", 8, "how many devices")
	resource := flag.String("resource", "nvidia.com/gpu", "the extended resource")
	folder := flag.String("folder", strings.TrimSuffix(api.DevicePluginPath, "/"), "where the kubelet's socket is")
	flag.Parse()
	var devices []*api.Device
	for i := range *count {
		devices = append(devices, &api.Device{ID: fmt.Sprintf("GPU-%s-%d", *node, i), Health: api.Healthy})
	}
	for {
		log.Print(serve(devices, *folder, *resource))
		time.Sleep(200 * time.Millisecond) // until the kubelet is there, or there again
	}
}
