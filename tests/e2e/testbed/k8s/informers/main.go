// SPDX-License-Identifier: GPL-3.0-or-later

// What others would follow a cluster with: client-go's shared informers on the kinds that large.py serves, each keeping whole objects. Prints
// a line of JSON every 100 ms: {"synced": ..., "pods": ..., "changes": ...}, changes being pods that came, changed or went.
//
//	informers KUBECONFIG [strip]    strip: without managedFields, as careful controllers do
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "informers:", err)
		os.Exit(1)
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	config.QPS, config.Burst = 200, 300
	client, err := kubernetes.NewForConfig(config)
	check(err)
	factory := informers.NewSharedInformerFactory(client, 0)
	if len(os.Args) > 2 && os.Args[2] == "strip" {
		factory = informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(func(object any) (any, error) {
			if accessor, err := meta.Accessor(object); err == nil {
				accessor.SetManagedFields(nil)
			}
			return object, nil
		}))
	}
	var changes atomic.Int64
	core := factory.Core().V1()
	pods := core.Pods().Informer()
	_, err = pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changes.Add(1) },
		UpdateFunc: func(any, any) { changes.Add(1) },
		DeleteFunc: func(any) { changes.Add(1) },
	})
	check(err)
	others := []cache.SharedIndexInformer{core.Nodes().Informer(), core.Services().Informer(), core.Namespaces().Informer(),
		core.PersistentVolumes().Informer(), core.PersistentVolumeClaims().Informer(), core.LimitRanges().Informer()}
	factory.Start(make(chan struct{}))
	for {
		synced := pods.HasSynced()
		for _, informer := range others {
			synced = synced && informer.HasSynced()
		}
		fmt.Printf("{\"synced\": %t, \"pods\": %d, \"changes\": %d}\n", synced, len(pods.GetStore().ListKeys()), changes.Load())
		time.Sleep(100 * time.Millisecond)
	}
}
